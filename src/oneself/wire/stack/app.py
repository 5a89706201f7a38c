"""The ASGI app of this wire."""

from oneself.actions.runtime import Runtime
from oneself.asgi.connection import Asgi
from oneself.wire.mounting import mount
from oneself.wire.stack.dispatch import dispatcher
from oneself.wire.stack.routes import routes


def create_app(rt: Runtime) -> Asgi:
    """Mount every operation, under both prefixes, on one dispatcher."""
    return mount(routes(), dispatcher(rt), rt.settings.body_limit_bytes, rt.numbers.face("stack"))
