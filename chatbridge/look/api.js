/** An answer that is not what was asked for. `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  /**
   * @param {string} message the server's sentence, empty when it gave none
   * @param {number} status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Call an address of this server with JSON, or with a form that carries a file.
 *
 * @param {string} method
 * @param {string} path
 * @param {object | FormData} [body]
 * @returns {Promise<any>} the parsed answer, null when it has no body
 * @throws {ApiError}
 */
export async function call(method, path, body) {
  const response = await fetch(path, { method, ...encoded(body) }).catch(() => {
    throw new ApiError("", 0);
  });
  const text = await response.text();
  const answer = parsed(text);
  if (!response.ok) throw new ApiError(sentence(answer), response.status);
  return answer;
}

/**
 * Send a file as multipart.
 *
 * @param {string} path
 * @param {File} file
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export function upload(path, file) {
  const form = new FormData();
  form.append("file", file, file.name);
  return call("POST", path, form);
}

function encoded(body) {
  if (body === undefined) return {};
  if (body instanceof FormData) return { body };
  return { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

function parsed(text) {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** Both shapes of an error: problem+json of the bridge and `{error: {message}}` of the sandbox. */
function sentence(answer) {
  const problem = answer?.error ?? answer;
  return [problem?.title, problem?.detail ?? problem?.message]
    .filter(Boolean)
    .join(". ")
    .replaceAll("..", ".");
}
