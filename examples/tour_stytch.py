"""Sign Ada in with Google and link GitHub to the same user, with Stytch's own SDK against a local Oneself.

python tour_stytch.py dev.json        # dev.json: what `oneself dev --json` printed
"""

import json
import sys
from pathlib import Path

import requests
import stytch

server = json.loads(Path(sys.argv[1]).read_text())
keys = server["project"]["stytch"]
client = stytch.Client(keys["project_id"], keys["secret"], environment=server["base_url"])


def browse(provider: str, persona: str, attach_token: str = "") -> str:
    """What a person does in a browser: start, say yes at the provider, come back to the application with a token."""
    browser = requests.Session()
    params = {"public_token": keys["public_token"], "provider_login_hint": persona}
    if attach_token:
        params["oauth_attach_token"] = attach_token
    url = f"{server['base_url']}/v1/public/oauth/{provider}/start"
    answer = browser.get(url, params=params, allow_redirects=False)
    while "stytch_token_type" not in answer.headers["location"]:
        answer = browser.get(answer.headers["location"], allow_redirects=False)
    return answer.headers["location"].rpartition("token=")[2]


signed_in = client.oauth.authenticate(browse("google", "ada"), session_duration_minutes=60)
print(signed_in.provider_type, "signed in", signed_in.user.emails[0].email)

attach = client.oauth.attach("github", session_token=signed_in.session_token)
token = browse("github", "linus", attach.oauth_attach_token)
linked = client.oauth.authenticate(token, session_token=signed_in.session_token)
print("the same user:", linked.user_id == signed_in.user_id)
print("accounts:", ", ".join(account.provider_type for account in linked.user.providers))

# Checked locally, with the server's public keys: no request.
session = client.sessions.authenticate_jwt(linked.session_jwt).session
print("the session rests on:", ", ".join(factor.delivery_method for factor in session.authentication_factors))
