import fc from 'fast-check';

/** Characters at whose edges UTF-8 changes its form, and the surrogates are left out. */
const EDGES = [0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];

/** Any text of at most `maxLength` characters, of one to four bytes each in UTF-8. */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  const character = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
    fc.constantFrom(...EDGES),
  );
  return fc.array(character, { maxLength }).map((codes) => String.fromCodePoint(...codes));
}
