"""The ASGI app of this wire."""

from typing import Any

import falcon.asgi

from oneself.actions.runtime import Runtime
from oneself.wire.http import mount
from oneself.wire.stack.dispatch import dispatcher
from oneself.wire.stack.routes import routes


def create_app(rt: Runtime) -> falcon.asgi.App[Any, Any]:
    """Mount every operation, under both prefixes, on one dispatcher."""
    return mount(routes(), dispatcher(rt), rt.settings.body_limit_bytes)
