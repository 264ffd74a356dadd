// How a site ends.

/** How long an answer that is under way may still take, in milliseconds. */
const GRACE = 2_000;

/**
 * Cuts what keeps a server that is closing. A browser opens connections that it may never ask anything on, and Node waits a
 * minute for the question.
 */
function cutLater(server) {
  setTimeout(() => server.closeAllConnections(), GRACE).unref();
}

module.exports = { cutLater };
