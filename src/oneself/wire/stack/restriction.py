"""Whether a user is restricted, and why: what Stack calls a user who has not finished signing up."""

from oneself.model import Project, UserView


def reason(project: Project, view: UserView) -> str:
    """The type of the user's restriction, or an empty text; an anonymous user is restricted too."""
    if view.user.is_anonymous:
        return "anonymous"
    primary = view.primary_email
    if project.config.require_email_verification and not (primary and primary.verified_at):
        return "email_not_verified"
    if view.user.extras.get("restricted_by_admin"):
        return "restricted_by_administrator"
    return ""
