export interface RenderOptions {
  /** Whether the text has ANSI colours. Default false: for pipes and files. */
  colour?: boolean;
}

/** Wraps a text in the ANSI codes of a colour or weight. */
export interface Colours {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Without `colour`, every text is returned unchanged. */
export function createColours({ colour = false }: RenderOptions): Colours {
  const wrap = (on: number, off: number) => (text: string) => (colour ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  return { bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), yellow: wrap(33, 39) };
}
