"""The keys of `oneself dev`: made at the first start in its folder, and kept from then on."""

import os
from base64 import b64encode
from pathlib import Path

import msgspec

from oneself.cli.dev_folder import DevKeys, ProjectKeys, StackKeys, StytchKeys, read_keys, using, write_keys
from oneself.config.checks import DEV_KEY_PREFIX
from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.crypto.jwk import dump_pem, generate_p256

_ENVIRONMENT = "test"


def open_folder(folder: Path) -> DevKeys:
    """Make the folder (0700) and its keys (0600) where they are missing, and give the keys.

    Raises DevFolderUnusable.
    """
    with using(folder):
        return _keys(folder)


def _keys(folder: Path) -> DevKeys:
    kept = read_keys(folder)
    if kept is not None and kept.signing_key:
        return kept
    keys = msgspec.structs.replace(kept or _new_keys(), signing_key=dump_pem(generate_p256()))
    write_keys(folder, keys)
    return keys


def _new_keys() -> DevKeys:
    random = os.urandom
    return DevKeys(
        master_keys=f"{DEV_KEY_PREFIX}1:{b64encode(random(32)).decode()}",
        callback_id=f"oauth-callback-{_ENVIRONMENT}-{new_uuid(random)}",
        client_secret=opaque.base32_secret(random),
        project=ProjectKeys(
            id=new_uuid(random),
            stytch=StytchKeys(
                project_id=f"project-{_ENVIRONMENT}-{new_uuid(random)}",
                secret=opaque.stytch_secret(_ENVIRONMENT, random),
                public_token=opaque.public_token(_ENVIRONMENT, random),
            ),
            stack=StackKeys(
                project_id=new_uuid(random),
                publishable_client_key=opaque.prefixed_key("pck_", random),
                secret_server_key=opaque.prefixed_key("ssk_", random),
                super_secret_admin_key=opaque.prefixed_key("sak_", random),
            ),
        ),
    )
