import { h } from "/look/dom.js";

/**
 * The rows that a manifest's `settings` ask for, in the shapes of the page "fields".
 *
 * @param {object} parts
 * @param {any} parts.integration
 * @param {Record<string, any>} parts.values what is saved
 * @param {(name: string) => string} parts.named words of the widget
 * @param {any[]} parts.users
 * @returns {HTMLElement[]}
 */
export function fieldRows({ integration, values, named, users }) {
  return Object.entries(integration.widget.fields).map(([name, field]) => {
    const caption = `${named(field.name)}${field.required ? " *" : ""}`;
    return h(
      "div",
      { class: `widget_settings_block__item_field widget_settings_block__item_field--${field.type}` },
      field.type !== "custom" && h("div", { class: "widget_settings_block__title_field" }, caption),
      h(
        "div",
        { class: "widget_settings_block__input_field" },
        inputs({ integration, name, field, caption, value: values[name], users }),
      ),
    );
  });
}

function inputs({ integration, name, field, caption, value, users }) {
  if (field.type === "custom") {
    const id = `${integration.code}_custom`;
    return [
      h("input", { type: "hidden", id, name, value: value === undefined ? "" : JSON.stringify(value) }),
      h("div", { id: `${id}_content` }),
    ];
  }
  if (field.type === "users")
    return users.map((user) =>
      perUser(user, [input(`${name}[${user.user_id}]`, "text", user.name, value?.[user.user_id])]),
    );
  if (field.type === "users_lp")
    return users.map((user) =>
      perUser(user, [
        input(`${name}[${user.user_id}][login]`, "text", user.name, value?.[user.user_id]?.login),
        input(`${name}[${user.user_id}][password]`, "password", user.name, value?.[user.user_id]?.password),
      ]),
    );
  return [input(name, field.type === "pass" ? "password" : "text", caption, value)];
}

function perUser(user, fields) {
  return h("div", { class: "widget_settings_block__user" }, h("span", {}, user.name), fields);
}

function input(name, type, caption, value = "") {
  return h("input", {
    "class": "input text-input",
    name,
    type,
    "aria-label": caption,
    value,
    "autocomplete": "off",
  });
}

/**
 * Read the rows. A custom field keeps objects and numbers only, as amoCRM does: any other text is lost.
 *
 * @param {HTMLElement} block
 * @param {any} integration
 * @returns {Record<string, any>}
 */
export function readFields(block, integration) {
  const found = {};
  for (const [name, { type }] of Object.entries(integration.widget.fields)) {
    const value =
      type === "custom"
        ? custom(block, name)
        : type.startsWith("users")
          ? byUser(block, name)
          : one(block, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function one(block, name) {
  return block.querySelector(`[name="${CSS.escape(name)}"]`)?.value;
}

function custom(block, name) {
  try {
    const value = JSON.parse(one(block, name) ?? "");
    return typeof value === "number" || typeof value === "object" ? (value ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

function byUser(block, name) {
  const found = {};
  for (const { name: full, value } of block.querySelectorAll(`[name^="${CSS.escape(name)}["]`)) {
    const [user, member] = full.slice(name.length + 1, -1).split("][");
    found[user] = member ? { ...found[user], [member]: value } : value;
  }
  return found;
}
