import { createConversation } from "./conversation.js";
import { waitAfter } from "./connection.js";
import { createStore } from "./store.js";

const script = document.currentScript;
const messenger = script.dataset.messenger ?? location.pathname.split("/").pop();
const address = new URL(`chat/${messenger}`, script.src).href;
const store = createStore(`chatbridge:${messenger}`);

/** How the chat looks: from the server, or as it was the last time. Null if this page may not have it. */
async function loadSettings(attempt = 0) {
  const answer = await fetch(`${address}/settings`).catch(() => null);
  if (answer?.ok) return answer.json();
  if (answer?.status < 500) return null;
  if (store.get().settings) return store.get().settings;
  await new Promise((resolve) => setTimeout(resolve, waitAfter(0, attempt, Math.random())));
  return loadSettings(attempt + 1);
}

async function main() {
  const calls = window.chatbridge?.q ?? [];
  window.chatbridge = { q: calls, started: true };
  const settings = await loadSettings();
  if (!settings) return;
  store.change(() => ({ settings }));
  const page = "page" in script.dataset;
  const wanted = [
    settings.language,
    script.dataset.language,
    document.documentElement.lang,
    navigator.language,
  ];
  const methods = createConversation({ address, store, settings, wanted, page });
  const push = ([name, about]) => methods[name]?.(about);
  window.chatbridge = { ...methods, q: { push }, started: true };
  for (const call of calls) push(call);
}

// A page may name the script twice.
if (!window.chatbridge?.started) main();
