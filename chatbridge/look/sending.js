import { explanation } from "/look/notices.js";
import { patch, settle, unsent } from "/look/thread.js";

/** How long a sent file's preview stays readable. */
const KEPT_MS = 60_000;

/**
 * Send a message that is shown at once, with a clock, and then gets the server's id and mark, or the reason why it
 * failed and a button to try again.
 *
 * @param {Partial<import("/look/chat.js").ChatMessage>} content
 * @param {object} how
 * @param {(change: (messages: object[]) => object[]) => void} how.change changes the list that shows it
 * @param {() => Promise<import("/look/chat.js").ChatMessage>} how.work sends it and returns the server's copy; runs again at each try
 * @param {import("/look/i18n.js").Words} how.words
 * @param {import("/look/notices.js").Notices} how.notices
 * @returns {Promise<void>}
 */
export async function sendShown(content, { change, work, words, notices }) {
  const message = unsent({ ...content, retry: again }, Date.now());
  const mark = (state, problem) =>
    change((all) => patch(all, (one) => one.key === message.key && one.id === null, { state, problem }));

  async function deliver() {
    try {
      const answer = await work();
      change((all) => settle(all, message.key, answer));
      // Later: the preview that has just been replaced may still be loading.
      if (message.media) setTimeout(() => URL.revokeObjectURL(message.media), KEPT_MS);
    } catch (error) {
      const [what, hint] = explanation(error, words);
      mark("failed", what);
      notices.failed(what, hint);
    }
  }

  async function again() {
    mark("pending", null);
    await deliver();
  }

  change((all) => [...all, message]);
  await deliver();
}
