"""Finding and adding the clients that requests name."""

from dataclasses import replace

from chatbridge.sandbox.accepted import Accepted
from chatbridge.sandbox.records import Author, Person
from chatbridge.sandbox.refusals import Refusal, bad_request
from chatbridge.sandbox.wire import Participant


def client(accepted: Accepted, given: Participant, role: str) -> Person:
    """Return the client meant, adding an unknown one.

    With `ref_id` it is the person with this amo id, and is bound to the other side's id; an unknown
    one raises Refusal 400.
    """
    state, scope_id = accepted.sandbox.state, accepted.connection.scope_id
    if given.ref_id is not None:
        person = state.persons.get(given.ref_id)
        if person is None or person.scope_id != scope_id:
            raise unknown(role)
        if person.client_id is None and given.id is not None:
            person = replace(person, client_id=given.id)
    else:
        found = state.find_person(scope_id, given.id or "")
        person = found or Person(
            id=accepted.sandbox.new_id(), scope_id=scope_id, client_id=given.id
        )
    if given.avatar and given.avatar != person.avatar:
        accepted.sandbox.media.fetch(given.avatar, scope_id)
    return state.save_person(_with_profile(person, given))


def colleague(accepted: Accepted, given: Participant) -> Author:
    """Return the user or bot an outgoing message is written by. Raises Refusal 400."""
    connection = accepted.connection
    bot = connection.channel.bot
    if given.ref_id == bot.id:
        return Author(id=bot.id, name=given.name or bot.name, kind="bot")
    for user in connection.account.users:
        if given.ref_id == user.id:
            return Author(id=user.id, name=given.name or user.name, kind="user")
    raise unknown("sender")


def unknown(role: str) -> Refusal:
    """Wording that clients have recorded from the real amojo."""
    return bad_request(f"{role}: user not found")


def _with_profile(person: Person, given: Participant) -> Person:
    """What is given replaces what was known; what is not given stays."""
    profile = given.profile
    return replace(
        person,
        name=given.name or person.name,
        avatar=given.avatar or person.avatar,
        phone=(profile and profile.phone) or person.phone,
        email=(profile and profile.email) or person.email,
        profile_link=given.profile_link or person.profile_link,
    )
