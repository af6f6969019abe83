import type { RequestHandler, Response } from 'express';

const WEB_FONTS = /<link[^>]+href="https:\/\/fonts\.googleapis\.com[^>]*>/g;

/** Removes the web fonts from Bull Board's page: the dashboard loads nothing from another host and works without a network. */
export const stripWebFonts: RequestHandler = (_request, response, next) => {
  const render: Response['render'] = response.render.bind(response);
  response.render = (view: string, values?: object | ((error: Error, html: string) => void)) => {
    render(view, typeof values === 'object' ? values : {}, (error: Error | null, html: string) => {
      if (error) return next(error);
      response.send(html.replaceAll(WEB_FONTS, ''));
    });
  };
  next();
};
