// A plugin for Stryker: a text that a person reads is not mutated. See docs/decisions/0008-mutants.md.
const COMPARES = new Set(['===', '!==', '==', '!=']);
const SEARCHES = new Set(['includes', 'startsWith', 'endsWith', 'indexOf', 'has', 'get', 'split', 'test']);

/** True where the program itself looks for the text, as for what a server answers: that is no prose. */
function isLookedFor({ node, parent }) {
  if (parent.type === 'BinaryExpression') return COMPARES.has(parent.operator);
  return parent.type === 'CallExpression' && parent.callee !== node && SEARCHES.has(parent.callee.property?.name);
}

/** The text of a literal with nothing computed in it. */
function plainText(node) {
  if (node.type === 'StringLiteral') return node.value;
  return node.type === 'TemplateLiteral' && node.expressions.length === 0 ? node.quasis[0].value.raw : undefined;
}

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'prose',
    value: {
      shouldIgnore: (path) =>
        /\S \S/.test(plainText(path.node) ?? '') && !isLookedFor(path) ? 'a text that a person reads' : undefined,
    },
  },
];
