import { h, icon, iconButton } from "/look/dom.js";
import { fieldRows, readFields } from "/pages/widget_fields.js";

/**
 * The window in which a widget is installed, set and disabled, with the class names and ids of amoCRM's.
 *
 * @param {object} parts
 * @param {any} parts.desk
 * @param {ReturnType<typeof import("/pages/widget_runtime.js").createRuntime>} parts.runtime
 */
export function createSettings({ desk, runtime }) {
  const { words, notices } = desk;
  let modal = null;

  /**
   * Open it. `context` tells of the source from which it is opened.
   *
   * @param {string} code
   * @param {{source_id: number, external_id: string}} [context]
   */
  async function open(code, context) {
    close();
    const [Modal, $] = await runtime.load(["lib/components/base/modal", "jquery"]);
    const block = h("div", { class: "widget_settings_block", id: `widget_settings_block_${code}` });
    modal = new Modal({
      class_name: `widget-settings__modal ${code}`,
      init: ($body) => $body.append(head(desk.integration(code)), block),
      destroy: () => (modal = null),
    });
    modal.$body.attr("aria-label", desk.integration(code).name);
    await fill(code, block, $, context);
  }

  function head(integration) {
    const close = iconButton("close", "look.close", { class: "button--quiet modal-body__close" });
    const logo = `/widgets/${integration.code}/images/logo_min.png`;
    const picture = integration.widget.files.includes("images/logo_min.png")
      ? h("img", { src: logo, alt: "" })
      : icon("logo");
    const element = h(
      "header",
      { class: "widget-settings__head" },
      h("span", { class: "widget-settings__logo" }, picture),
      h("h2", {}, integration.name),
      h("span", { class: "widget-settings__version" }, integration.widget.version),
      close,
    );
    words.apply(element);
    return element;
  }

  async function fill(code, block, $, context) {
    const one = await runtime.start(code);
    const integration = desk.integration(code);
    const active = integration.installation?.active ?? false;
    const values = active ? integration.installation.settings : {};
    const named = one ? (name) => one.widget.i18n(name) ?? name : (name) => name;
    const fields = h("div", { class: "widget_settings_block__fields" });
    fields.append(...fieldRows({ integration, values, named, users: desk.state().known.account.users }));
    block.replaceChildren(fields, controls(code, block, one, $));
    words.apply(block);
    if (one) await runtime.run(one, "settings", $(block), context);
  }

  function controls(code, block, one, $) {
    const active = desk.integration(code).installation?.active ?? false;
    const admin = desk.user().is_admin;
    const kind = active ? "js-widget-save" : "js-widget-install";
    const main = h("button", {
      "type": "button",
      "class": `button button--main button-input button-input_blue ${kind}`,
      "id": `save_${code}`,
      "data-t": active ? "save" : "install",
      "disabled": active || !admin || !one,
      "onclick": (event) => busy(event.currentTarget, () => save(code, block, one, $)),
    });
    const off = h("button", {
      "type": "button",
      "class": "button button-input js-widget-uninstall",
      "data-t": "disable",
      "disabled": !admin,
      "onclick": (event) => busy(event.currentTarget, () => disable(code, one)),
    });
    const wake = () => (main.disabled = !admin || !one);
    $(block).off("change.host input.host").on("change.host input.host", "input, select, textarea", wake);
    const hint = !admin ? "only_admins" : one ? null : "script_failed";
    return h(
      "footer",
      { class: "widget_settings_block__controls" },
      hint && h("p", { "class": "widget_settings_block__hint", "data-t": hint }),
      active && off,
      main,
    );
  }

  async function busy(button, work) {
    button.disabled = true;
    try {
      await work();
    } finally {
      button.disabled = button.classList.contains("js-widget-save");
    }
  }

  async function save(code, block, one, $) {
    const integration = desk.integration(code);
    const first = !integration.installation?.active;
    const { switches } = desk.state();
    const values = readFields(block, integration);
    const empty = Object.entries(integration.widget.fields).filter(
      ([name, field]) => field.required && !values[name],
    );
    if (empty.length > 0) return complain("fill_in", { names: empty.map(([name]) => name).join(", ") });
    const who = { user_id: desk.user().user_id, wait: false };
    if (first && switches.install_hook === "clicked") await desk.change(`/widgets/${code}/tell`, who);
    if (first && switches.install_order === "install_first") await runtime.run(one, "onInstall");
    const { done, value } = await runtime.run(one, "onSave");
    if (!done || value === false || value === undefined) return complain("not_saved", {});
    const settings = readFields(block, integration); // onSave may have filled a field
    await desk.change(`/widgets/${code}/install`, { ...who, settings });
    if (!desk.integration(code).installation?.active) return null;
    if (first && switches.install_order === "save_first") await runtime.run(one, "onInstall");
    block
      .querySelector(":scope > .widget_settings_block__controls")
      .replaceWith(controls(code, block, one, $));
    words.apply(block);
    notices.done(words.t(first ? "installed_now" : "saved"));
    return null;
  }

  async function disable(code, one) {
    if (one) await runtime.run(one, "onSave");
    await runtime.stop(code);
    await desk.change(`/widgets/${code}/disable`, { user_id: desk.user().user_id, wait: false });
    close();
    notices.done(words.t("disabled_now"));
  }

  function complain(key, values) {
    modal?._showError(words.t(key, values));
  }

  function close() {
    modal?.destroy();
  }

  return { open, close };
}
