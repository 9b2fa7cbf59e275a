import { h } from "/look/dom.js";

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const FULL = { dateStyle: "full", timeStyle: "medium", hourCycle: "h23" };
const DAY_MS = 86_400_000;

/**
 * "12:04".
 *
 * @param {number} at milliseconds since 1970
 * @param {string} language
 * @returns {string}
 */
export function clockTime(at, language) {
  return new Intl.DateTimeFormat(language, CLOCK).format(at);
}

/**
 * "12:04:05.123", the same in all languages: it is read by engineers.
 *
 * @param {number} at
 * @returns {string}
 */
export function preciseTime(at) {
  const date = new Date(at);
  const two = (n) => String(n).padStart(2, "0");
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

/**
 * A <time> that shows `text` (by default "12:04") and tells the full time on hover.
 *
 * @param {number} at
 * @param {string} language
 * @param {string} [text]
 * @returns {HTMLElement}
 */
export function timeElement(at, language, text = clockTime(at, language)) {
  const title = new Intl.DateTimeFormat(language, FULL).format(at);
  return h("time", { datetime: new Date(at).toISOString(), title }, text);
}

/**
 * The day of a time in words: today, yesterday, "12 November", with the year when it is another one.
 *
 * @param {number} at
 * @param {import("/look/i18n.js").Words} words
 * @param {number} [now]
 * @returns {string}
 */
export function dayName(at, words, now = Date.now()) {
  const age = Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
  if (age === 0) return words.t("look.today");
  if (age === 1) return words.t("look.yesterday");
  const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(words.language(), { day: "numeric", month: "long", year }).format(at);
}

/**
 * The day in few letters, for lists: "Yesterday", "12 Nov".
 *
 * @param {number} at
 * @param {import("/look/i18n.js").Words} words
 * @returns {string}
 */
export function shortDay(at, words) {
  if (startOfDay(at) === startOfDay(Date.now() - DAY_MS)) return words.t("look.yesterday");
  return new Intl.DateTimeFormat(words.language(), { day: "numeric", month: "short" }).format(at);
}

/**
 * Midnight before a time, local.
 *
 * @param {number} at
 * @returns {number}
 */
export function startOfDay(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

/**
 * "<1 ms", "12 ms", "1.2 s", "3 min".
 *
 * @param {number} ms
 * @param {import("/look/i18n.js").Words} words
 * @returns {string}
 */
export function span(ms, words) {
  const number = (value, digits) => value.toLocaleString(words.language(), { maximumFractionDigits: digits });
  if (ms < 1) return words.t("look.under_ms");
  if (ms < 1000) return words.t("look.ms", { n: number(ms, 0) });
  if (ms < 60_000) return words.t("look.seconds", { n: number(ms / 1000, 1) });
  return words.t("look.minutes", { n: number(ms / 60_000, 1) });
}
