"""What faces may ask about return URLs: the rules' own answers."""

from oneself.rules.return_urls import chosen_url, code_link, is_trusted, with_query

__all__ = ["chosen_url", "code_link", "is_trusted", "with_query"]
