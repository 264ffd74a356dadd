// The page: one file, and the security policy that lets it run. The policy names the hashes of the
// page's own style and script, so nothing that a chat message could smuggle in would ever run.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const html = readFileSync(join(__dirname, 'page', 'index.html'), 'utf8');

/** What a policy says to allow the inline elements of one kind. */
function hashes(tag) {
  const elements = html.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'));
  return Array.from(elements, ([, content]) => {
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  });
}

/** For helmet. All that is not named is forbidden. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: hashes('script'),
    styleSrc: hashes('style'),
    imgSrc: ['data:'],
    // To browsers, 'self' is the WebSockets of the same host as well.
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

module.exports = { contentSecurityPolicy, html };
