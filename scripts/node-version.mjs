// Imported first by every entry script. Written in old syntax on purpose: a Node that is too old
// must still be able to parse this file in order to say so.
const required = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < required[0] || (major === required[0] && minor < required[1])) {
  console.error(
    `Upwire needs Node >= ${required.join('.')}, and this is Node ${process.versions.node}.`,
  );
  process.exit(1);
}
