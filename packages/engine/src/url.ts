/**
 * A URL; `null` for what is none. Not by `URL.canParse()`: that of Node 20, once it is compiled, takes whatever has a
 * character from U+0080 to U+00FF for none.
 */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
