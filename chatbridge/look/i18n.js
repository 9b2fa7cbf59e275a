const STORAGE_KEY = "chatbridge.language";
const LANGUAGES = ["en", "ru"];

/**
 * @typedef {object} Words
 * @property {(key: string, values?: Record<string, string | number>) => string} t words for a key; `{name}` is filled in,
 *   an entry with plural forms is chosen by `values.n`; an unknown key comes back as it is
 * @property {(key: string) => boolean} has
 * @property {() => string} language "en" or "ru"
 * @property {(language: string) => void} choose switches, remembers and repaints
 * @property {(root: ParentNode) => void} apply fills `data-t`, `data-t-label` and `data-t-placeholder` below root
 * @property {(listener: () => void) => void} onChange
 */

/**
 * @param {Array<{en: object, ru: object}>} dictionaries later ones win
 * @param {string | null} [forced] a language given from outside; it is not remembered
 * @returns {Words}
 */
export function createWords(dictionaries, forced = null) {
  const listeners = [];
  const tables = Object.fromEntries(
    LANGUAGES.map((code) => [code, Object.assign({}, ...dictionaries.map((d) => d[code]))]),
  );
  let language = LANGUAGES.includes(forced) ? forced : (remembered() ?? preferred(navigator.languages));

  function t(key, values = {}) {
    const entry = tables[language][key] ?? key;
    const text =
      typeof entry === "string" ? entry : (entry[plural(language, Number(values.n))] ?? entry.other);
    return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
  }

  function apply(root) {
    for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
    for (const node of root.querySelectorAll("[data-t-placeholder]"))
      node.setAttribute("placeholder", t(node.dataset.tPlaceholder));
    for (const node of root.querySelectorAll("[data-t-label]")) {
      node.setAttribute("aria-label", t(node.dataset.tLabel));
      if (node.tagName === "BUTTON" || node.tagName === "A")
        node.setAttribute("title", t(node.dataset.tLabel));
    }
  }

  function choose(next) {
    if (!LANGUAGES.includes(next) || next === language) return;
    language = next;
    if (!forced) remember(next);
    paint();
    for (const listener of listeners) listener();
  }

  function paint() {
    document.documentElement.lang = language;
    apply(document);
  }

  paint();
  return {
    t,
    has: (key) => key in tables[language],
    language: () => language,
    choose,
    apply,
    onChange: (listener) => void listeners.push(listener),
  };
}

/**
 * The plural form of a number: "one", "few", "many" or "other".
 *
 * @param {string} language
 * @param {number} n
 * @returns {string}
 */
function plural(language, n) {
  return new Intl.PluralRules(language).select(n);
}

/**
 * The first language of the browser that we speak, else English.
 *
 * @param {readonly string[]} languages
 * @returns {string}
 */
function preferred(languages) {
  return (
    languages.map((tag) => tag.split("-")[0].toLowerCase()).find((code) => LANGUAGES.includes(code)) ?? "en"
  );
}

/** Storage may be refused, as in a private window or a third-party frame; the choice then lasts as long as the page. */
function remembered() {
  try {
    const code = localStorage.getItem(STORAGE_KEY);
    return LANGUAGES.includes(code) ? code : null;
  } catch {
    return null;
  }
}

function remember(code) {
  try {
    localStorage.setItem(STORAGE_KEY, code);
  } catch {
    // Nothing to do: see remembered().
  }
}
