// Splits XML into what is coloured alike. It never loses or changes a character, whatever the text is.

export type XmlKind = 'text' | 'comment' | 'punctuation' | 'tag' | 'attribute' | 'value';

export interface XmlToken {
  kind: XmlKind;
  text: string;
}

const pattern = /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<[?!][^>]*>|<\/?[^\s/>]+|\/?>|[^<>]+|[<>]/g;
const inside = /([^\s=/>"']+)(\s*=\s*)("[^"]*"|'[^']*')|[^]/g;

export function xmlTokens(xml: string): XmlToken[] {
  const tokens: XmlToken[] = [];
  const add = (kind: XmlKind, text: string) => {
    const last = tokens.at(-1);
    if (last?.kind === kind) last.text += text;
    else if (text !== '') tokens.push({ kind, text });
  };
  let inTag = false;
  for (const [part] of xml.matchAll(pattern)) {
    if (part.startsWith('<!--')) add('comment', part);
    else if (part.startsWith('<?') || part.startsWith('<!')) add('punctuation', part);
    else if (/^<\/?[^\s/>]/.test(part)) {
      const name = part.startsWith('</') ? 2 : 1;
      add('punctuation', part.slice(0, name));
      add('tag', part.slice(name));
      inTag = true;
    } else if (inTag && /^\/?>$/.test(part)) {
      add('punctuation', part);
      inTag = false;
    } else if (inTag) {
      for (const [all, name, equals, value] of part.matchAll(inside)) {
        if (name === undefined || equals === undefined || value === undefined)
          add(all === '/' ? 'punctuation' : 'text', all);
        else {
          add('attribute', name);
          add('punctuation', equals);
          add('value', value);
        }
      }
    } else add('text', part);
  }
  return tokens;
}
