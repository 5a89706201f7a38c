"""What this dialect calls each provider: `provider_type`, `delivery_method` and the keys of its
session factor.
"""

from typing import NamedTuple


class Wording(NamedTuple):
    """How one provider is said; a factor is put under every one of `factor_keys`."""

    provider_type: str
    delivery_method: str
    factor_keys: tuple[str, ...]


def _plain(path: str, provider_type: str, *other_keys: str) -> Wording:
    return Wording(provider_type, f"oauth_{path}", (f"{path}_oauth_factor", *other_keys))


# The closed list that strict SDK models parse, by our ids (X goes by its older name here). Three factor keys are
# spelled in two ways by the vendor's own SDKs; both are sent.
WORDINGS: dict[str, Wording] = {
    "google": _plain("google", "Google"),
    "microsoft": _plain("microsoft", "Microsoft"),
    "apple": _plain("apple", "Apple"),
    "github": _plain("github", "Github"),
    "gitlab": _plain("gitlab", "GitLab", "git_lab_oauth_factor"),
    "facebook": _plain("facebook", "Facebook"),
    "discord": _plain("discord", "Discord"),
    "salesforce": _plain("salesforce", "Salesforce"),
    "slack": _plain("slack", "Slack"),
    "amazon": _plain("amazon", "Amazon"),
    "bitbucket": _plain("bitbucket", "Bitbucket"),
    "linkedin": _plain("linkedin", "LinkedIn", "linked_in_oauth_factor"),
    "coinbase": _plain("coinbase", "Coinbase"),
    "twitch": _plain("twitch", "Twitch"),
    "x": _plain("twitter", "Twitter"),
    "tiktok": _plain("tiktok", "TikTok", "tik_tok_oauth_factor"),
    "snapchat": _plain("snapchat", "Snapchat"),
    "figma": _plain("figma", "Figma"),
    "yahoo": _plain("yahoo", "Yahoo"),
    "spotify": _plain("spotify", "Spotify"),
    "instagram": _plain("instagram", "Instagram"),
    "shopify": _plain("shopify", "Shopify"),
    "steam": _plain("steam", "Steam"),
    "hubspot": _plain("hubspot", "Hubspot"),
}


def provider_type(provider: str, config_id: str) -> str:
    """Return the capitalised name of a provider; one that the dialect has no name for is called
    as the project calls its own configuration of it.
    """
    wording = WORDINGS.get(provider)
    return wording.provider_type if wording else config_id
