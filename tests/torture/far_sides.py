"""amoCRM's chat service and a messenger's backend: they write down what arrives, and may refuse for a while."""

import json

from standardwebhooks import Webhook, WebhookVerificationError

from tests.fakes import Answer, FarSide, Received
from tests.plain_amojo import PlainAmojo
from tests.torture.history import TO_AMOJO, TO_MESSENGER, Arrived, History, TurnedAway

_TAKEN_BEFORE = b"already exists"


class FarSides:
    """Both far sides of a run."""

    def __init__(self, history: History, amojo: PlainAmojo, backend: FarSide) -> None:
        self._history, self.amojo, self.backend = history, amojo, backend
        self.refusing: dict[str, Answer | None] = {TO_AMOJO: None, TO_MESSENGER: None}
        """What a side answers instead of taking anything, by direction."""
        self.webhook_secret = ""
        genuine = amojo.far_side.otherwise
        assert callable(genuine)
        self._genuine = genuine
        amojo.far_side.otherwise = self._at_amojo
        backend.otherwise = self._at_backend

    def _at_amojo(self, received: Received) -> Answer:
        payload = json.loads(received.body or b"{}").get("payload") or {}
        if "msgid" not in payload:
            return self._genuine(received)
        answer = self.refusing[TO_AMOJO] or self._genuine(received)
        if answer.status != 200 and _TAKEN_BEFORE not in answer.body:
            self._turn_away(TO_AMOJO, payload["msgid"], answer)
            return answer
        self._history.add(
            Arrived(
                direction=TO_AMOJO,
                conversation=payload["conversation_id"],
                id=payload["msgid"],
                text=payload["message"]["text"],
                delivery_id=payload["msgid"],
                at=self._history.now(),
            )
        )
        return answer

    def _at_backend(self, received: Received) -> Answer:
        data = json.loads(received.body)["data"]
        answer = self.refusing[TO_MESSENGER] or self._verified(received)
        if answer.status != 200:
            self._turn_away(TO_MESSENGER, data["id"], answer)
            return answer
        self._history.add(
            Arrived(
                direction=TO_MESSENGER,
                conversation=data["conversation_id"],
                id=data["id"],
                text=data["message"]["text"],
                delivery_id=received.header("webhook-id") or "",
                at=self._history.now(),
            )
        )
        return answer

    def _verified(self, received: Received) -> Answer:
        """200, or what a receiver with the published library answers to a wrong or old signature."""
        headers = {name.decode().lower(): value.decode() for name, value in received.headers}
        try:
            Webhook(self.webhook_secret).verify(received.body, headers)
        except WebhookVerificationError:
            return Answer(status=401)
        return Answer()

    def _turn_away(self, direction: str, message_id: str, answer: Answer) -> None:
        now = self._history.now()
        self._history.add(
            TurnedAway(direction=direction, id=message_id, status=answer.status, at=now)
        )
