import { call } from "/look/api.js";
import { emptyState } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";
import { createWords } from "/look/i18n.js";
import { languageSwitch } from "/look/language_switch.js";
import { createNotices } from "/look/notices.js";
import lookEn from "/look/texts.en.js";
import lookRu from "/look/texts.ru.js";
import pageEn from "/pages/texts.en.js";
import pageRu from "/pages/texts.ru.js";

const words = createWords([
  { en: lookEn, ru: lookRu },
  { en: pageEn, ru: pageRu },
]);
const notices = createNotices(words);
const asked = new URLSearchParams(location.search);
const clientId = asked.get("client_id");
const EXTERNAL = ["name", "description", "redirect_uri", "secrets_uri", "logo", "scopes"];
const external = clientId
  ? null
  : Object.fromEntries(EXTERNAL.filter((name) => asked.get(name)).map((name) => [name, asked.get(name)]));

/** With `mode=post_message` the answer stays in this window; otherwise the window that opened it goes on, and this closes. */
function leave(url) {
  if (asked.get("mode") !== "post_message" && window.opener) {
    window.opener.location = url;
    window.close();
  } else location.assign(url);
}

function accountOption({ subdomain, name, zone }) {
  return h("option", { value: subdomain }, `${name} · ${subdomain}.${zone}`);
}

function form({ integration, accounts }) {
  const { name, scopes } = integration ?? {
    name: external.name,
    scopes: (external.scopes ?? "crm").split(","),
  };
  const account = h(
    "select",
    { class: "input", name: "account", onchange: paintUsers },
    accounts.map(accountOption),
  );
  const user = h("select", { class: "input", name: "user", onchange: paintRights });
  const allow = h("button", {
    "type": "button",
    "class": "button button--main",
    "data-t": "allow",
    "onclick": () => decide("allow"),
  });
  const hint = h("p", { "class": "consent__hint", "data-t": "only_admins" });

  function users() {
    return accounts.find((one) => one.subdomain === account.value)?.users ?? [];
  }

  function paintUsers() {
    user.replaceChildren(...users().map((one) => h("option", { value: one.user_id }, one.name)));
    paintRights();
  }

  function paintRights() {
    const admin = users().some((one) => String(one.user_id) === user.value && one.is_admin);
    allow.disabled = !admin;
    hint.hidden = admin;
  }

  async function decide(answer) {
    const who = external ? { external } : { client_id: clientId };
    const body = { ...who, answer, account: account.value, state: asked.get("state") };
    if (answer === "allow") body.user_id = Number(user.value);
    const done = await notices.attempt(() => call("POST", "/sandbox/consent", body));
    if (done) leave(done.redirect);
  }

  paintUsers();
  return [
    h("h1", {}, words.t("consent_title", { name })),
    h("p", { "class": "consent__about", "data-t": "consent_about" }),
    h(
      "ul",
      { class: "consent__scopes" },
      scopes.map((scope) =>
        h("li", {}, icon("sent", "icon--s"), words.t(words.has(`scope.${scope}`) ? `scope.${scope}` : scope)),
      ),
    ),
    h("label", { class: "field" }, h("span", { "class": "field__label", "data-t": "account" }), account),
    h("label", { class: "field" }, h("span", { "class": "field__label", "data-t": "signed_in_as" }), user),
    hint,
    h(
      "footer",
      { class: "dialog__foot" },
      h("button", {
        "type": "button",
        "class": "button",
        "data-t": "refuse",
        "onclick": () => decide("refuse"),
      }),
      allow,
    ),
  ];
}

async function start() {
  const panel = h("main", { class: "consent__panel" });
  document.body.prepend(h("div", { class: "consent__language" }, languageSwitch(words)), panel);
  const path = clientId ? `/sandbox/consent?client_id=${encodeURIComponent(clientId)}` : "/sandbox/consent";
  const known = clientId || external.redirect_uri ? await call("GET", path).catch(() => null) : null;

  function paint() {
    panel.replaceChildren(
      ...(known ? form(known) : [emptyState("warning", "no_integration", "no_integration_hint")]),
    );
    words.apply(document);
  }
  words.onChange(paint);
  paint();
  document.body.dataset.state = "open";
}

void start();
