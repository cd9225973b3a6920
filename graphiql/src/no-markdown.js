// Stands in for markdown-it, which would be a tenth of the bundle. The descriptions of
// the schema are sentences, with `code` in them and nothing else.
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]);

export default class Markdown {
  render(text) {
    return `<p>${escape(text).replace(/`([^`]+)`/g, '<code>$1</code>')}</p>`;
  }
}
