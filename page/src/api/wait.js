/**
 * Passes time, of which less passes if the browser is back on the network meanwhile.
 * @param {number} ms
 * @param {AbortSignal} signal ends it with its reason
 * @returns {Promise<void>}
 */
export function waited(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(done, ms);
    addEventListener("online", done, { once: true });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    function done() {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    }
  });
}
