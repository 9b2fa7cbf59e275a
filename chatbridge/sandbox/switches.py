"""Everything about the emulated amoCRM that can be switched, as one table.

What amoCRM's pages leave open or contradict is a switch here; the first choice is the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | float


class SwitchError(ValueError):
    """A switch was not changed; the text says which and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One switch: a choice among words (`choices`), a number (`low`..`high`), or else free text."""

    name: str
    default: Value
    meaning: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return " | ".join(self.choices)
        return "any text" if self.low is None else f"{self.low:g}..{self.high:g}"

    def check(self, value: object) -> Value:
        """Return the value if it is allowed, raise SwitchError if not."""
        whole = isinstance(self.default, int)
        if self.low is not None and self.high is not None:
            kinds: tuple[type, ...] = (int,) if whole else (int, float)
            if (
                type(value) in kinds
                and isinstance(value, int | float)
                and self.low <= value <= self.high
            ):
                return value
        elif isinstance(value, str) and (not self.choices or value in self.choices):
            return value
        kind = "a whole number " if whole else ""
        raise SwitchError(f"{self.name}: allowed is {kind}{self.allowed}")


def _choice(name: str, choices: str, meaning: str) -> Switch:
    words = tuple(choices.split())
    return Switch(name=name, default=words[0], choices=words, meaning=meaning)


def _number(name: str, default: float, bounds: tuple[float, float], meaning: str) -> Switch:
    return Switch(name=name, default=default, low=bounds[0], high=bounds[1], meaning=meaning)


SWITCHES = (
    _choice("new_message_answer", "full no_receiver_id msgid msgid_ref_id", "members of the answer to a sent message; `msgid` is the answer of before 2021"),
    _choice("duplicate_msgid", "400 200", "status for a msgid that already exists; 200 answers with the old id"),
    _choice("delivery_body", "both new old", "delivery_status takes `status_code` (new), `msgid` + `delivery_status` (old), or both"),
    _choice("empty_success", "empty object", "body of a success without content: none, or `{}` as Kommo answers"),
    _choice("strictness", "strict lenient", "lenient converts types and does not ask for what only the documentation requires"),
    _choice("media_download", "on off", "fetch `media` and `avatar` of accepted messages, as amoCRM does"),
    _choice("hook_newline", "unsigned none signed", "hooks end with a newline that is not signed, with none, or with a signed one"),
    _choice("hook_phone_email", "empty absent", "unknown phone and e-mail of a hook's receiver"),
    _choice("hook_sender_name", "present absent", "`sender.name` in message hooks"),
    _choice("hook_source", "present absent", "`source` in message hooks, if the chat has one"),
    _choice("hook_markup", "null absent", "`markup` of a message without buttons"),
    _choice("reaction_hook", "message msgid both", "how a reaction hook names the message"),
    _choice("typing_user", "nested top", "`action.typing.user` or `action.user` in typing hooks"),
    _choice("hook_retry", "none once_after_timeout", "amoCRM documents none; a repeat tests idempotency"),
    _number("hook_deadline_s", 5.0, (0.05, 60), "a hook not answered in this time has failed"),
    _number("slow_queue_s", 1.0, (0, 60), "wait before a connection's next hook after a failed one"),
    _choice("fault", "none slow forbidden 500 503 429 lost_answer truncated", "what goes wrong with accepted requests: `slow`, `lost_answer` (connection reset) and `truncated` (half the JSON) happen after the message is stored, the others instead of storing it; `forbidden` is the refusal of a wrong Date"),
    _number("fault_requests", 0, (0, 1_000_000), "number of requests the fault hits before it switches itself off; 0: no limit"),
    Switch(name="fault_conversation", default="", meaning="hit only this conversation_id; empty: all"),
    _number("fault_delay_s", 6.0, (0, 120), "delay of a slow answer"),
    _number("fault_retry_after_s", 1, (0, 3600), "Retry-After of a 429"),
    _choice("crm_fault", "none slow 500 502 503 504 429 403 lost_answer", "what goes wrong with requests to accounts, the token endpoint included: `slow` and `lost_answer` (connection reset) happen after the work is done, the others are pages instead of doing it"),
    _number("crm_fault_requests", 0, (0, 1_000_000), "number of requests that `crm_fault` hits before it switches itself off; 0: no limit"),
    Switch(name="crm_fault_call", default="", meaning="hit only this call: `token`, `account`, `users`, `widgets`, `sources`, `pipelines`; empty: all"),
    _number("crm_limit", 7, (0, 1_000_000), "requests a second that an integration may send to an account's API; 0: no limit"),
    _number("crm_ban_after", 20, (0, 1_000_000), "refusals (429) within a minute after which all is refused (403) for a minute; 0: never"),
    _number("crm_clock_s", 0, (-86_400, 10**9), "seconds by which the clock of accounts is ahead: codes and tokens grow old"),
    _choice("oauth_rotation", "strict lenient", "the old refresh token dies at once, or when the new one is used"),
    _choice("oauth_refresh_refusal", "400 401", "status of a refused refresh"),
    _choice("disposable_audience", "host host_port", "`aud` of disposable tokens without or with the port of the redirect URI"),
    _choice("disposable_is_admin", "present absent", "`is_admin` in disposable tokens, which only the vendor's SDK knows"),
    _choice("source_default", "moves refused", "a second default source takes the mark from the first, or is refused"),
    _choice("install_order", "save_first install_first", "onSave or onInstall first, when a widget is installed"),
    _choice("install_hook", "saved clicked lost", "the server tells the integration after onSave, at the click already, or never"),
    _number("install_hook_delay_s", 0.0, (0, 120), "wait before the install hook"),
    _number("install_hook_deadline_s", 3.0, (0.05, 60), "an install, secrets or disconnect hook not answered in this time has failed"),
)  # fmt: skip

_BY_NAME = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The current values. Reading an unknown name is a programming error (KeyError)."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {switch.name: switch.default for switch in SWITCHES}

    def is_(self, name: str, choice: str) -> bool:
        """Whether a choice switch stands at this choice."""
        return self._values[name] == choice

    def text(self, name: str) -> str:
        """Value of a choice or text switch."""
        return str(self._values[name])

    def number(self, name: str) -> float:
        """Value of a number switch."""
        return float(self._values[name])

    def change(self, wanted: Mapping[str, object]) -> None:
        """Change all or, when one is wrong, none. Raises SwitchError."""
        unknown = [name for name in wanted if name not in _BY_NAME]
        if unknown:
            raise SwitchError(f"{unknown[0]}: no such switch; there are {', '.join(_BY_NAME)}")
        self._values |= {name: _BY_NAME[name].check(value) for name, value in wanted.items()}

    def reset(self) -> None:
        """Back to the defaults."""
        self._values = {switch.name: switch.default for switch in SWITCHES}

    def values(self) -> dict[str, Value]:
        """All values by name."""
        return dict(self._values)
