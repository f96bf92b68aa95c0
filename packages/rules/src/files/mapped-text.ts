// Text that is put together from parts of files and remembers where each character stands.
import type { Place } from "../problem.ts";

interface Piece {
  text: string;
  /** The place of a character of this piece, by its offset in it. */
  place: (offset: number) => Place;
}

/** What goes in place of the text from `start` to `end`; it gets the place of the character at `standsFor`. */
export interface Replacement {
  start: number;
  end: number;
  text: string;
  standsFor: number;
}

/** A text and the origin of its parts. Never changed: every operation makes a new one. */
export class MappedText {
  readonly text: string;
  readonly #pieces: readonly Piece[];

  private constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
    this.text = pieces.map((piece) => piece.text).join("");
  }

  static of(text: string, place: (offset: number) => Place): MappedText {
    return new MappedText([{ text, place }]);
  }

  /** The texts one behind the other; a plain string gets the place of what follows it, or else of what precedes it. */
  static join(...parts: (string | MappedText)[]): MappedText {
    const mapped = parts.filter((part) => typeof part !== "string");
    const anchor = mapped[0] as MappedText;
    return new MappedText(
      parts.flatMap((part) =>
        typeof part === "string" ? [{ text: part, place: () => anchor.place(0) }] : part.#pieces,
      ),
    );
  }

  /** With other text in place of some of it; the replacements are in order and do not overlap. */
  replace(replacements: readonly Replacement[]): MappedText {
    const kept: Piece[] = [];
    let piece = 0;
    let pieceStart = 0;
    // Takes over what stands from `from` to `to`; pieces are only ever walked forwards.
    const keep = (from: number, to: number): void => {
      let at = from;
      while (at < to) {
        const { text, place } = this.#pieces[piece] as Piece;
        const skipped = at - pieceStart;
        const end = Math.min(text.length, to - pieceStart);
        if (skipped < end) kept.push({ text: text.slice(skipped, end), place: (offset) => place(offset + skipped) });
        at = Math.max(at, pieceStart + end);
        if (end < text.length) break;
        pieceStart += text.length;
        piece++;
      }
    };
    let done = 0;
    for (const { start, end, text, standsFor } of replacements) {
      keep(done, start);
      kept.push({ text, place: () => this.place(standsFor) });
      done = end;
    }
    keep(done, this.text.length);
    return new MappedText(kept);
  }

  place(offset: number): Place {
    let at = 0;
    let last: Piece = this.#pieces[0] as Piece;
    for (const piece of this.#pieces) {
      if (offset < at + piece.text.length) return piece.place(offset - at);
      at += piece.text.length;
      if (piece.text.length > 0) last = piece;
    }
    return last.place(last.text.length);
  }
}
