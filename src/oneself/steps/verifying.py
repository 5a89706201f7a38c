"""Mail the code that proves an address, over the open transaction that it belongs to."""

from oneself.model import EmailAddress, Letter, OneTimeCode
from oneself.rules.return_urls import code_link
from oneself.steps import codes
from oneself.steps.mailing import Post, mailbox
from oneself.store.database import Tx


async def mail_code(tx: Tx, how: Post, email: EmailAddress, callback_url: str) -> None:
    """Mail a code to an address of a user's; two statements. Raises Fault(REDIRECT_NOT_ALLOWED)."""
    code = codes.new_code(how.random)
    letter = Letter(
        kind="verify",
        to=mailbox(email),
        project_name=how.project.display_name,
        link=code_link(how.project, callback_url, code.reveal()),
    )
    kept = OneTimeCode(
        kind="verify", user_id=email.user_id, email_id=email.id, address=email.address, folded=email.folded
    )
    await codes.mail(tx, how, code, kept, letter)
