"""A widget as small as one can be that uses everything, and the server that it calls."""

import json
from typing import Any

from aiohttp import web

from tests.pages.serving import Running
from tests.sandbox.integrator import MANIFEST, claims, widget_zip

WORDS = {
    "ru": {
        "settings": {"state": "Состояние"},
        "hello": {"title": "Привет"},
        "advanced": {"title": "Правила"},
    },
    "en": {
        "settings": {"state": "State"},
        "hello": {"title": "Hello"},
        "advanced": {"title": "Rules"},
    },
}
SCRIPT = """
define(["jquery", "underscore", "lib/components/base/modal", "./lib/notes.js"], function ($, _, Modal, notes) {
  return function Tiny() {
    const self = this;
    const note = (name, ...given) => notes.push([name, ...given]);
    const throwing = (name) => { if (notes.faults[name] === "throw") throw new Error(name + " broke"); };
    self.callbacks = {
      render() { note("render", self.system().area); throwing("render"); return true; },
      bind_actions() { note("bind_actions"); return true; },
      init() { note("init"); return true; },
      settings($body, context) {
        note("settings", context || null);
        throwing("settings");
        const code = self.get_settings().widget_code;
        const $place = $body.find("#" + code + "_custom_content");
        $place.append($("<p class='tiny__hello'></p>").text(self.i18n("hello").title));
        $place.append(self.render({ data: "<p class='tiny__twig'>{{ n }}</p>" }, { n: _.max([1, 3, 2]) }));
        $place.append(self.render({ ref: "/tmpl/controls/button.twig" }, { class_name: "tiny__choose", text: "Choose" }));
        $place.find(".tiny__choose").on("click", () =>
          $("#" + code + "_custom").val(JSON.stringify({ link: "l-1" })).trigger("change"));
        self.$authorizedAjax({ url: notes.server + "/state", dataType: "json" })
          .done((state) => $place.append($("<p class='tiny__state'></p>").text("user " + state.user)))
          .fail(() => $place.append("<p class='tiny__state'>away</p>"));
        return true;
      },
      onSave() { note("onSave", self.get_install_status()); throwing("onSave"); return notes.verdict(); },
      onInstall() { note("onInstall"); throwing("onInstall"); },
      onAddAsSource(pipeline) { note("onAddAsSource", pipeline); },
      advancedSettings() {
        note("advancedSettings");
        self.crm_post(notes.server + "/form", { a: 1 }, (answer) => note("posted", answer), "json");
        $("#work-area-" + self.get_settings().widget_code).text("Rules of " + APP.constant("account").subdomain);
      },
      destroy() { note("destroy"); },
    };
    return self;
  };
});
"""
NOTES = """
define([], function () {
  const notes = [];
  notes.server = %s;
  notes.faults = {};
  notes.verdict = () => true;
  window.tiny = notes;
  return notes;
});
"""


def tiny_zip(server: str, *, version: str = "1.0.0", script: str = SCRIPT) -> bytes:
    """The archive; `server` is the origin of its server."""
    files: dict[str, str | bytes] = {
        "script.js": script,
        "lib/notes.js": NOTES % json.dumps(server),
        **{f"i18n/{language}.json": json.dumps(words) for language, words in WORDS.items()},
    }
    manifest = MANIFEST | {"widget": MANIFEST["widget"] | {"version": version}}
    return widget_zip(manifest, files)


class TinyServer:
    """Answers the widget's calls for one origin, and says what their tokens say."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.claims: list[dict[str, Any]] = []
        self.forms: list[dict[str, str]] = []
        app = web.Application()
        app.router.add_get("/state", self._state)
        app.router.add_options("/state", self._allow)
        app.router.add_post("/form", self._form)
        self.running = Running(app)

    async def _allow(self, _: web.Request) -> web.Response:
        headers = self._cors() | {"Access-Control-Allow-Headers": "X-Auth-Token"}
        return web.Response(status=204, headers=headers)

    async def _state(self, request: web.Request) -> web.Response:
        said = claims(request.headers["X-Auth-Token"])
        self.claims.append(said)
        return web.json_response({"user": said["user_id"]}, headers=self._cors())

    async def _form(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        return web.json_response({"taken": True})

    def _cors(self) -> dict[str, str]:
        return {"Access-Control-Allow-Origin": self.origin, "Vary": "Origin"}
