"""The parts of a server, each handed its collaborators: the only place where they are wired together."""

from chatbridge.parts.assembly import Parts, assemble
from chatbridge.parts.services import services_of

__all__ = ["Parts", "assemble", "services_of"]
