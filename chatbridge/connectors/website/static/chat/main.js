import { createConversation } from "./conversation.js";
import { waitAfter } from "./connection.js";
import { createStore } from "./store.js";

const script = document.currentScript;
const messenger = script.dataset.messenger ?? location.pathname.split("/").pop();
const address = new URL(`chat/${messenger}`, script.src).href;
const store = createStore(`chatbridge:${messenger}`);

/** How the chat looks: from the server, or as it was the last time. Null if this page may not have it. */
async function loadSettings(attempt = 0) {
  try {
    const answer = await fetch(`${address}/settings`);
    return answer.ok ? await answer.json() : null;
  } catch {
    if (store.get().settings) return store.get().settings;
  }
  await new Promise((resolve) => setTimeout(resolve, waitAfter(0, attempt, Math.random())));
  return loadSettings(attempt + 1);
}

/** What the page asked for before we were there, and everything after it. */
function answerCalls(calls, methods) {
  const push = ([name, about]) => methods[name]?.(about);
  window.chatbridge = { ...methods, q: { push } };
  for (const call of calls) push(call);
}

async function main() {
  const settings = await loadSettings();
  if (!settings) return;
  store.change(() => ({ settings }));
  const page = "page" in script.dataset;
  if (page) document.title = settings.title;
  const wanted = [settings.language, script.dataset.language, document.documentElement.lang, navigator.language];
  const methods = createConversation({ address, store, settings, wanted, page });
  answerCalls(window.chatbridge?.q ?? [], methods);
}

// A page may name the script twice.
if (!window.chatbridge?.open) main();
