import { parseSync } from 'oxc-parser';

/** What a file refers to, as far as the arrows ask: found in the syntax, so that no spelling passes. */
export interface Seen {
  /** Every module that it names, whatever the spelling; no `from` where the name is computed. */
  readonly imports: readonly Import[];
  /** Names that are no property of something else: what is declared nowhere is of the platform. */
  readonly names: readonly Name[];
  /** Texts, also the fixed parts of templates. */
  readonly texts: readonly { readonly text: string; readonly line: number }[];
  /** Values thrown that cannot be an error. */
  readonly thrown: readonly number[];
}

export interface Import {
  readonly from?: string;
  readonly line: number;
  /** Gone when the types are: it orders the rooms, and does nothing. */
  readonly type: boolean;
  /** What is taken from the module by name; undefined where that may be all of it. */
  readonly taken?: readonly string[];
}

export interface Name {
  readonly name: string;
  readonly line: number;
  /** Where only a part of it is taken, as in `Math.max`. */
  readonly member?: string;
  readonly use: 'instanceof' | 'extends' | 'dated' | 'other';
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Nodes of TypeScript that stand around values; all others hold types only. */
const AROUND_VALUES = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
  'TSInstantiationExpression',
  'TSParameterProperty',
  'TSExportAssignment',
  'TSEnumDeclaration',
  'TSEnumBody',
  'TSEnumMember',
  'TSModuleDeclaration',
  'TSModuleBlock',
]);

/** Where an identifier is no name but a part of something: a property, a key, a label, a name in another module. */
function isPart(parent: Node, key: string): boolean {
  switch (parent.type) {
    case 'MemberExpression':
      return key === 'property' && parent.computed !== true;
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'AccessorProperty':
      return key === 'key' && parent.computed !== true;
    case 'ImportSpecifier':
      return key === 'imported';
    case 'ExportSpecifier':
      return key === 'exported';
    case 'MetaProperty':
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return key !== 'body';
    default:
      return false;
  }
}

/** The text of a literal, or of a template that holds nothing; undefined where it is computed. */
function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined;
  if (node.type === 'ParenthesizedExpression' || node.type === 'TSAsExpression') return textOf(node.expression);
  if (node.type !== 'TemplateLiteral' || (node.expressions as Node[]).length > 0) return undefined;
  return (node.quasis as { value: { cooked: string } }[])[0]!.value.cooked;
}

const nameOf = (node: unknown): string =>
  isNode(node) ? String(node.type === 'Literal' ? node.value : node.name) : '';

/** What an import or export statement takes by name; undefined where it takes the whole module. */
function takenBy({ specifiers, type }: Node): string[] | undefined {
  if (type === 'ExportAllDeclaration') return undefined;
  const all = specifiers as Node[];
  const isNamed = ({ type }: Node) => type === 'ImportSpecifier' || type === 'ExportSpecifier';
  if (!all.every(isNamed)) return undefined;
  return all.map((one) => nameOf(type === 'ImportDeclaration' ? one.imported : one.local));
}

/** `import type …`, and `import { type A, type B } …`. */
function isTypeOnly(node: Node): boolean {
  if (node.importKind === 'type' || node.exportKind === 'type') return true;
  const all = (node.specifiers ?? []) as Node[];
  return all.length > 0 && all.every(({ importKind, exportKind }) => importKind === 'type' || exportKind === 'type');
}

/** What is thrown is an error where it is made, caught or asked for, and none where it is a text or an object. */
const NO_ERRORS = new Set(['Literal', 'TemplateLiteral', 'ObjectExpression', 'ArrayExpression', 'BinaryExpression']);

/** Reads a file's syntax. @throws Error where it is no TypeScript */
export function see(file: string, text: string): Seen {
  const { program, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
  const lines = [...text.matchAll(/\n/g)].map(({ index }) => index);
  const lineOf = ({ start }: Node): number => {
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
  const imports: Import[] = [];
  const names: Name[] = [];
  const texts: { text: string; line: number }[] = [];
  const thrown: number[] = [];

  const useOf = (node: Node, parent: Node, key: string): Name['use'] => {
    if (parent.type === 'BinaryExpression' && parent.operator === 'instanceof' && key === 'right') return 'instanceof';
    if (key === 'superClass') return 'extends';
    const [first] = (parent.arguments ?? []) as Node[];
    const isDated = parent.type === 'NewExpression' && key === 'callee' && first && first.type !== 'SpreadElement';
    return isDated && node.name === 'Date' ? 'dated' : 'other';
  };

  const look = (node: Node, parent: Node, key: string, inType: boolean): void => {
    const line = lineOf(node);
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (node.source) {
          imports.push({ from: textOf(node.source)!, line, type: isTypeOnly(node), taken: takenBy(node) });
          // What is exported from elsewhere is no name here.
          if (node.type !== 'ImportDeclaration') return;
        }
        break;
      case 'ImportExpression':
        imports.push({ from: textOf(node.source), line, type: false });
        break;
      case 'TSImportType':
        imports.push({ from: textOf(node.source), line, type: true });
        break;
      case 'TSExternalModuleReference':
        imports.push({ from: textOf(node.expression), line, type: false });
        return;
      case 'ThrowStatement':
        if (NO_ERRORS.has((node.argument as Node).type)) thrown.push(line);
        break;
      case 'Literal':
        if (typeof node.value === 'string') texts.push({ text: node.value, line });
        if (node.value === 'constructor') names.push({ name: 'constructor', line, use: 'other' });
        break;
      case 'TemplateElement':
        texts.push({ text: (node.value as { cooked: string }).cooked, line });
        break;
      case 'MetaProperty':
        if (nameOf(node.meta) === 'import') names.push({ name: 'import.meta', line, use: 'other' });
        break;
      case 'Identifier':
        if (node.name === 'constructor' && parent.type !== 'MethodDefinition') {
          names.push({ name: 'constructor', line, use: 'other' });
        } else if (!inType && !isPart(parent, key)) {
          const isObject = parent.type === 'MemberExpression' && key === 'object' && parent.computed !== true;
          const member = isObject ? nameOf(parent.property) : undefined;
          names.push({ name: String(node.name), line, member, use: useOf(node, parent, key) });
        }
        break;
    }
    const isType = inType || (node.type.startsWith('TS') && !AROUND_VALUES.has(node.type));
    for (const [name, child] of Object.entries(node)) {
      if (Array.isArray(child)) {
        for (const one of child) if (isNode(one)) look(one, node, name, isType);
      } else if (isNode(child)) look(child, node, name, isType);
    }
  };
  look(program as unknown as Node, program as unknown as Node, '', false);
  return { imports, names, texts, thrown };
}
