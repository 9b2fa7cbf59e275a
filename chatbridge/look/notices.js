import { h, icon, iconButton } from "/look/dom.js";

const SHOWN_MS = 8000;

/**
 * @typedef {object} Notices
 * @property {(text: string, hint?: string) => void} done
 * @property {(text: string, hint?: string) => void} failed stays until it is closed or 8 s have passed
 * @property {<T>(work: () => Promise<T>) => Promise<T | null>} attempt null after a failed call was explained
 * @property {(text: string) => void} announce read aloud, not shown
 */

/**
 * The toasts of a page and its voice for screen readers.
 *
 * @param {import("/look/i18n.js").Words} words
 * @returns {Notices}
 */
export function createNotices(words) {
  const region = h("div", { "class": "toasts", "role": "status", "aria-live": "polite" });
  const voice = h("div", { "class": "sr-only", "aria-live": "polite" });
  document.body.append(region, voice);

  function show(kind, drawing, text, hint) {
    const close = iconButton("close", "look.close", {
      class: "button--quiet button--small",
      onclick: () => toast.remove(),
    });
    const body = h(
      "div",
      { class: "toast__text" },
      h("p", {}, text),
      hint && h("p", { class: "toast__hint" }, hint),
    );
    const toast = h("div", { class: `toast toast--${kind}` }, icon(drawing), body, close);
    words.apply(toast);
    region.replaceChildren(toast);
    setTimeout(() => toast.remove(), SHOWN_MS);
  }

  const failed = (text, hint) => show("bad", "warning", text, hint);
  return {
    done: (text, hint) => show("good", "sent", text, hint),
    failed,
    async attempt(work) {
      try {
        return await work();
      } catch (error) {
        failed(...explanation(error, words));
        return null;
      }
    },
    announce(text) {
      voice.textContent = text;
    },
  };
}

/**
 * What happened and what to do, in the reader's language.
 *
 * @param {Error & {status?: number}} error
 * @param {import("/look/i18n.js").Words} words
 * @returns {[string, string]}
 */
export function explanation(error, words) {
  if (error.status === undefined) throw error;
  if (error.status === 0) return [words.t("look.no_answer"), words.t("look.no_answer_hint")];
  if (error.status === 413) return [error.message || words.t("look.too_big"), words.t("look.too_big_hint")];
  if (error.status >= 500)
    return [error.message || words.t("look.server_failed"), words.t("look.server_failed_hint")];
  return [error.message || words.t("look.refused"), words.t("look.refused_hint")];
}
