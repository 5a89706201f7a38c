"""What each provider would say of a persona, without a trip: for the pages and the control API."""

from oneself.emulator.answers import Json
from oneself.emulator.clients import Client
from oneself.emulator.issue import id_claims
from oneself.emulator.overlay import overlay
from oneself.emulator.personas import Persona
from oneself.emulator.player import Player, Scene
from oneself.emulator.world import World

_CLIENT = Client(client_id="preview", client_secret="preview")


def preview(world: World, player: Player, persona: Persona) -> Json:
    """Give every document that this provider would show of this person, by the document's name."""
    scene = Scene(
        root=world.root(player),
        issuer=world.issuer(player),
        persona=persona.at(player.id),
        client=_CLIENT,
        subject=player.subject(persona),
        scopes=player.sign_in_scopes,
        now=world.now(player.id),
        asked=player.sign_in_params,
        query=player.document_query,
        first=True,
        headers={"user-agent": "preview", "client-id": _CLIENT.client_id},
        token="an-access-token",
        expires_at=world.now(player.id) + 3600,
    )
    said: Json = {}
    if player.id_token is not None and player.id_token.granted(scene):
        claims = id_claims(player.id_token, scene, scene.token)
        said["id_token"] = overlay(persona, player.id, "id_token", claims)
    for place in player.resources:
        said[place.name] = overlay(persona, player.id, place.name, place.answer(scene).body)
    return said
