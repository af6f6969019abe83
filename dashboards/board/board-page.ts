import type { RequestHandler, Response } from 'express';
import { encodeHtml } from '../access/encode-html.ts';
import { roleOf } from '../access/roles.ts';

const WEB_FONTS = /<link[^>]+href="https:\/\/fonts\.googleapis\.com[^>]*>/g;

export interface BoardPageOptions {
  /** Of the proxy: all links begin with it. */
  prefix: string;
  /** HTML of the header that all pages have. */
  head: string;
}

/**
 * Dresses Bull Board's page: the header of all pages is above it, and a style sheet hides the buttons of what `board-rules.ts` refuses.
 * Its web fonts go: the dashboard loads nothing from another host and works without a network.
 */
export function dressBoardPage({ prefix, head }: BoardPageOptions): RequestHandler {
  const base = encodeHtml(prefix);
  const links = [
    `<meta name="fleet-base" content="${base}" />`,
    ...['head.css', 'board.css'].map((sheet) => `<link rel="stylesheet" href="${base}/assets/${sheet}" />`),
    `<script type="module" src="${base}/assets/board.js"></script>`,
  ].join('');
  return (_request, response, next) => {
    const mark = roleOf(response) === 'read' ? '<html data-board data-role="read" ' : '<html data-board ';
    const render: Response['render'] = response.render.bind(response);
    response.render = (view: string, values?: object | ((error: Error, html: string) => void)) => {
      render(view, typeof values === 'object' ? values : {}, (error: Error | null, html: string) => {
        if (error) return next(error);
        const dressed = html
          .replaceAll(WEB_FONTS, '')
          .replace('<html ', mark)
          .replace('</head>', () => `${links}</head>`)
          .replace(/<body[^>]*>/, (body) => body + head);
        response.send(dressed);
      });
    };
    next();
  };
}
