import { h, link, webAddress } from "./dom.js";

const FIELDS = {
  name: { type: "text", autocomplete: "name", good: () => true },
  phone: {
    type: "tel",
    autocomplete: "tel",
    good: (text) => /^\d{7,15}$/.test(text.replace(/[\s()+.-]/g, "")),
  },
  email: { type: "email", autocomplete: "email", good: (text) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) },
};

/**
 * What is wrong with an answer.
 *
 * @param {"name" | "phone" | "email"} name
 * @param {string} text
 * @param {boolean} required
 * @returns {"missing" | "bad_phone" | "bad_email" | null} key of a word
 */
export function mistake(name, text, required) {
  if (!text) return required ? "missing" : null;
  return FIELDS[name].good(text) ? null : `bad_${name}`;
}

/**
 * Whether the form stands before the chat: something is asked for, and was neither answered nor, if it may be, skipped.
 *
 * @param {Record<string, "required" | "optional" | "off">} form
 * @param {import("./store.js").State} state
 * @returns {boolean}
 */
export function isAsked(form, { asked, profile }) {
  const wanted = Object.entries(form).filter(([, rule]) => rule !== "off");
  const open = wanted.some(([name, rule]) => mistake(name, profile?.[name] ?? "", rule === "required"));
  return wanted.length > 0 && (!asked || open);
}

/**
 * @param {(key: string) => string} t
 * @param {object} options
 * @param {Record<string, "required" | "optional" | "off">} options.form
 * @param {string | null} options.consent address of what the visitor agrees to
 * @param {(profile: object) => void} options.onDone
 */
export function createForm(t, { form, consent, onDone }) {
  const wanted = Object.keys(FIELDS).filter((name) => form[name] !== "off");
  const fields = wanted.map((name) => field(name, form[name] === "required"));
  const href = webAddress(consent);
  const skippable = wanted.every((name) => form[name] === "optional");
  const element = h(
    "form",
    { class: "form", novalidate: true, onsubmit: submit },
    h("p", {}, t("introduce")),
    fields.map((one) => one.element),
    href && h("p", { class: "consent" }, t("consent"), " ", link(href, {}, t("consent_link")), "."),
    h("button", { class: "main" }, t("start")),
    skippable && h("button", { type: "button", class: "quiet", onclick: () => onDone({}) }, t("skip")),
  );

  function field(name, required) {
    const { type, autocomplete } = FIELDS[name];
    const error = h("small", { id: `${name}-error`, class: "error" });
    const input = h("input", {
      name,
      type,
      autocomplete,
      "maxlength": 200,
      "aria-describedby": error.id,
      "aria-required": String(required),
    });
    const hint = !required && h("small", {}, ` ${t("optional")}`);
    const label = h("label", {}, h("span", {}, t(name), hint), input);
    return { name, input, error, required, element: h("div", { class: "field" }, label, error) };
  }

  function submit(event) {
    event.preventDefault();
    const wrong = fields.filter(check);
    if (wrong.length) wrong[0].input.focus();
    else onDone(Object.fromEntries(fields.map(({ name, input }) => [name, input.value.trim() || null])));
  }

  function check({ name, input, error, required }) {
    const key = mistake(name, input.value.trim(), required);
    error.textContent = key ? t(key) : "";
    input.setAttribute("aria-invalid", String(Boolean(key)));
    return key;
  }

  /** Fill in what is known already. */
  function fill(profile) {
    for (const { name, input } of fields) input.value ||= profile?.[name] ?? "";
  }

  return { element, fill, focus: () => fields[0]?.input.focus() };
}
