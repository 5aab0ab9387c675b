import { readFileSync } from 'node:fs';
import ts from 'typescript';

const LEVELS = new Set(['debug', 'log', 'warn', 'error']);
const LOGGERS = /^(?:NotionLogger|QuietLogger)$/;
/** Whatever an expression in a template may become. */
const ANYTHING = '…';

/** The event of each line that a source file writes; what is filled in at run time is `…`. */
export function logEventsIn(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const quiet = new Set<string>();
  const plain = new Set<string>();
  visit(source, (node) => {
    if (!ts.isPropertyDeclaration(node)) return;
    const name = node.name.getText();
    const made = node.initializer?.getText() ?? node.type?.getText() ?? '';
    const [, kind = ''] = /^(?:new )?(\w+)/.exec(made) ?? [];
    if (LOGGERS.test(kind)) (kind === 'QuietLogger' ? quiet : plain).add(name);
  });
  const events: string[] = [];
  visit(source, (node) => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
    const { expression: logger, name: level } = node.expression;
    if (!LEVELS.has(level.text)) return;
    const field = ts.isPropertyAccessExpression(logger) ? logger.name.text : logger.getText();
    // A quiet logger is told first what makes lines equal.
    if (quiet.has(field)) events.push(...textsOf(node.arguments[1]));
    else if (plain.has(field) || field.startsWith('new NotionLogger'))
      events.push(...textsOf(node.arguments[0]));
  });
  return events;
}

function textsOf(event: ts.Expression | undefined): readonly string[] {
  if (event === undefined) return [];
  if (ts.isStringLiteralLike(event)) return [event.text];
  if (ts.isConditionalExpression(event)) return [...textsOf(event.whenTrue), ...textsOf(event.whenFalse)];
  if (ts.isTemplateExpression(event)) {
    return [event.head.text + event.templateSpans.map(({ literal }) => ANYTHING + literal.text).join('')];
  }
  return [ANYTHING];
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => {
    visit(child, look);
  });
}
