export interface RenderOptions {
  /** ANSI colours; default false, for pipes and files. */
  colour?: boolean;
}

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Wraps text in ANSI codes, or leaves it as it is. */
export function createPaint({ colour = false }: RenderOptions): Paint {
  const wrap = (on: number, off: number) => (text: string) => (colour ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  return { bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), yellow: wrap(33, 39) };
}
