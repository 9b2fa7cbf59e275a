import { call, upload } from "/look/api.js";
import { ask, emptyState, openDialog } from "/look/dialogs.js";
import { h, icon } from "/look/dom.js";

/**
 * The integrations of an account: what each is, its keys, its archive, its settings.
 *
 * @param {object} parts
 * @param {any} parts.desk
 * @param {ReturnType<typeof import("/pages/widget_runtime.js").createRuntime>} parts.runtime
 * @param {(code: string) => void} parts.onOpen
 * @param {(code: string) => void} parts.onAdvanced
 */
export function createCards({ desk, runtime, onOpen, onAdvanced }) {
  const { words, notices } = desk;

  function view() {
    const { integrations } = desk.state().known;
    return h(
      "section",
      { class: "cards" },
      h(
        "header",
        { class: "cards__head" },
        h("h2", { "data-t": "integrations" }),
        h("button", { "type": "button", "class": "button", "data-t": "new_integration", "onclick": add }),
      ),
      integrations.length === 0 && emptyState("info", "no_integrations", "no_integrations_hint"),
      h("ul", { class: "cards__list" }, integrations.map(card)),
    );
  }

  function card(one) {
    const { widget, installation } = one;
    const picture = widget?.files.includes("images/logo_min.png")
      ? h("img", { src: `/widgets/${one.code}/images/logo_min.png?v=${widget.version}`, alt: "" })
      : icon("logo");
    const state = !widget
      ? ["info", "", "no_widget"]
      : installation?.active
        ? ["sent", "sign--good", "installed"]
        : ["pause", "", "not_installed"];
    const file = h("input", {
      type: "file",
      accept: ".zip",
      class: "sr-only",
      tabindex: "-1",
      onchange: () => take(one, file),
    });
    const advanced = installation?.active && widget?.locations.includes("advanced_settings");
    return h(
      "li",
      { "class": "card", "data-code": one.code },
      h("div", { class: "card__picture" }, picture),
      h("h3", { class: "card__name" }, one.name),
      h("p", { class: "card__about" }, words.t(`kind.${one.kind}`), widget && ` · ${widget.version}`),
      h("span", { class: `sign ${state[1]}` }, icon(state[0]), h("span", { "data-t": state[2] })),
      h(
        "div",
        { class: "card__actions" },
        widget &&
          h("button", {
            "type": "button",
            "class": "button button--main",
            "data-t": "settings",
            "onclick": () => onOpen(one.code),
          }),
        advanced &&
          h("button", {
            "type": "button",
            "class": "button",
            "data-t": "advanced_page",
            "onclick": () => onAdvanced(one.code),
          }),
        one.kind !== "external" &&
          h("button", {
            "type": "button",
            "class": "button",
            "data-t": "upload_widget",
            "onclick": () => file.click(),
          }),
        h("button", {
          "type": "button",
          "class": "button",
          "data-t": "keys",
          "onclick": () => showKeys(one),
        }),
        file,
      ),
    );
  }

  async function take(one, file) {
    const [archive] = file.files;
    if (!archive) return;
    const stored = await notices.attempt(() =>
      upload(`/sandbox/integrations/${one.client_id}/widget`, archive),
    );
    file.value = "";
    if (!stored) return;
    await runtime.forget(one.code);
    await desk.reload();
    notices.done(words.t("uploaded", { name: one.name, version: stored.widget.version }));
  }

  async function showKeys(one) {
    const { subdomain } = desk.state().known.account;
    const granted = await notices.attempt(() =>
      call("POST", `/sandbox/integrations/${one.client_id}/codes`, {
        account: subdomain,
        user_id: desk.user().user_id,
      }),
    );
    const rows = [
      ["key.client_id", one.client_id],
      ["key.client_secret", one.client_secret],
      ["key.redirect_uri", one.redirect_uri],
      ...(granted ? [["key.code", granted.code]] : []),
    ].map(([key, value]) => [h("dt", { "data-t": key }), h("dd", {}, h("code", {}, value))]);
    openDialog(one.name, [h("dl", { class: "keys" }, rows)], words, "dialog--wide");
  }

  async function add() {
    const kinds = ["private", "public"].map((kind) => [kind, words.t(`kind.${kind}`)]);
    const values = await ask(
      {
        title: "new_integration",
        submit: "create",
        fields: [
          { name: "name", label: "name" },
          { name: "kind", label: "kind", options: kinds },
          {
            name: "redirect_uri",
            label: "key.redirect_uri",
            type: "url",
            placeholder: "https://bridge.example.org/oauth/redirect",
          },
          {
            name: "disconnect_uri",
            label: "disconnect_uri",
            type: "url",
            placeholder: "https://bridge.example.org/oauth/disconnect",
          },
        ],
      },
      words,
    );
    if (!values) return;
    const account = desk.state().known.account.subdomain;
    const made = await notices.attempt(() => call("POST", "/sandbox/integrations", { ...values, account }));
    if (made) await desk.reload();
  }

  return { view };
}
