import type { RequestHandler, Response } from 'express';

const WEB_FONTS = /<link[^>]+href="https:\/\/fonts\.googleapis\.com[^>]*>/g;

/** Takes the web fonts out of Bull Board's page: the dashboard asks no other host, and works without a network. */
export const withoutWebFonts: RequestHandler = (_request, response, next) => {
  const render: Response['render'] = response.render.bind(response);
  response.render = (view: string, values?: object | ((error: Error, html: string) => void)) => {
    render(view, typeof values === 'object' ? values : {}, (error: Error | null, html: string) => {
      if (error) return next(error);
      response.send(html.replaceAll(WEB_FONTS, ''));
    });
  };
  next();
};
