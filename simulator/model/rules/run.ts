import type { Rule, TaskView } from '../task/types.ts';
import { findRequest } from '../task/mentions.ts';
import { findStep } from '../task/steps.ts';

/** Runs the command that the task names. */
export const run: Rule = (view) => {
  const argv = view.tools.has('run') ? findCommand(view) : null;
  if (argv === null) return null;
  const step = findStep(view.steps, 'run', { argv });
  return {
    next: () => (step === undefined ? [{ name: 'run', input: { argv } }] : []),
    answer() {
      const output = (step?.content ?? '').trim();
      const exit = [...output.matchAll(/\bexit(?:ed)?(?:\s+(?:code|status|with))*:?\s+(\d+)/gi)].at(-1)?.[1]; // the last match is the tool's own line, after the program's output
      const code = exit === undefined ? null : Number(exit);
      const ok = step !== undefined && !step.isError && (code === null || code === 0);
      const text = `\`${argv.join(' ')}\` ${ok ? 'ran' : 'failed'}${code === null ? '' : ` with exit code ${code}`}.\n${output.slice(0, 2_000)}`;
      return {
        text,
        values: {
          ok,
          success: ok,
          exit_code: code ?? (ok ? 0 : 1),
          code,
          output,
          command: argv.join(' '),
          summary: text,
        },
      };
    },
  };
};

function findCommand({ text, verbs, quoted }: TaskView): string[] | null {
  if (findRequest(verbs, 'run|execute') === undefined) return null;
  const bare =
    /\b(?:run|execute)\s+(?:the\s+command\s+)?([a-z][\w.-]*(?:\s+(?!and\b|then\b|in\b|to\b)[\w./=@:-]+)*)/i.exec(
      text,
    )?.[1];
  const command = quoted[0] ?? bare;
  if (command === undefined || command.trim() === '') return null;
  const parts = command.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  return parts.map((part) => part.replaceAll(/^["']|["']$/g, ''));
}
