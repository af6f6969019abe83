import type { Rule } from '../task/types.ts';
import { findUrls } from '../task/mentions.ts';
import { findStep } from '../task/steps.ts';

/** Requests the URLs that the task names and reports the answers. */
export const http: Rule = ({ text, tools, steps, task }) => {
  const urls = findUrls(text).slice(0, 6);
  if (urls.length === 0 || !tools.has('http')) return null;
  const method = /\b(POST|PUT|PATCH|DELETE|HEAD)\b/.exec(text)?.[1] ?? 'GET';
  const body =
    method === 'GET' || method === 'HEAD' || task.data === undefined ? {} : { body: JSON.stringify(task.data) };
  const asked = urls.map((url) => ({
    url,
    input: { method, url, ...body },
    step: findStep(steps, 'http', { method, url }),
  }));
  return {
    next: () => asked.filter(({ step }) => step === undefined).map(({ input }) => ({ name: 'http', input })),
    answer() {
      const items = asked.map(({ url, step }) => {
        const status = /^(?:HTTP(?:\/[\d.]+)?|status:?)\s+(\d{3})\b/im.exec(
          step?.isError === false ? step.content : '',
        )?.[1];
        return { url, status: status === undefined ? null : Number(status), content: (step?.content ?? '').trim() };
      });
      const lines = items.map(({ url, status, content }) =>
        status === null
          ? `${method} ${url} did not answer: ${content.split('\n')[0]}`
          : `${method} ${url} answered ${status}.\n${content.slice(0, 1_000)}`,
      );
      const summary = lines.join('\n');
      const first = items[0];
      const ok = items.every(({ status }) => status !== null && status < 400);
      return {
        text: summary,
        values: { ok, success: ok, status: first?.status, url: first?.url, body: first?.content, items, summary },
      };
    },
  };
};
