import { h } from "/look/dom.js";
import { createDrawer } from "/pages/drawer.js";
import { GROUPS, NORMAL, changed } from "/pages/switch_table.js";

/**
 * The drawer "Switches": how the emulated amoCRM behaves and misbehaves.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import("/look/store.js").createStore>} parts.store
 * @param {import("/look/i18n.js").Words} parts.words
 * @param {(values: Record<string, string | number>) => Promise<void>} parts.onChange
 * @returns {ReturnType<typeof createDrawer>}
 */
export function createSwitches({ store, words, onChange }) {
  const inputs = new Map();
  const allNormal = h("button", {
    "type": "button",
    "class": "button",
    "data-t": "all_normal",
    "onclick": () => onChange(NORMAL),
  });
  const count = h("p", { "class": "switches__count", "aria-live": "polite" });
  const content = [
    h("div", { class: "drawer__bar" }, count, allNormal),
    h("div", { class: "drawer__scroll" }, GROUPS.map(group)),
  ];
  const drawer = createDrawer({ name: "switches", content, store });

  function group({ key, switches }) {
    return h("fieldset", { class: "switches" }, h("legend", { "data-t": key }), switches.map(row));
  }

  function row(one) {
    const input = one.choices ? choices(one) : freeValue(one);
    inputs.set(one.name, { input, normal: one.normal });
    return h(
      "label",
      { class: "switch", title: one.name },
      h(
        "span",
        { class: "switch__text" },
        h("span", { "data-t": `switch.${one.name}` }),
        h("code", {}, one.name),
      ),
      input,
    );
  }

  function choices({ name, choices: all }) {
    const select = h(
      "select",
      { class: "input", name, onchange: () => onChange({ [name]: select.value }) },
      all.map((value) => h("option", { value }, value)),
    );
    return select;
  }

  function freeValue({ name, low, high, whole }) {
    const bounds =
      low === undefined ? { type: "text" } : { type: "number", min: low, max: high, step: whole ? 1 : "any" };
    const input = h("input", { class: "input", name, autocomplete: "off", ...bounds, onchange: change });
    function change() {
      if (input.reportValidity())
        void onChange({ [name]: low === undefined ? input.value.trim() : input.valueAsNumber });
    }
    return input;
  }

  function render(state) {
    const { switches } = state;
    const n = changed(switches);
    for (const [name, { input, normal }] of inputs) {
      const value = switches[name] ?? normal;
      if (document.activeElement !== input || input.tagName === "SELECT") input.value = String(value);
      input.closest(".switch").classList.toggle("switch--changed", value !== normal);
    }
    count.textContent = n ? words.t("switches_changed", { n }) : words.t("switches_normal");
    drawer.button.classList.toggle("drawer-button--alert", n > 0);
    drawer.render(state);
  }

  return { ...drawer, render };
}
