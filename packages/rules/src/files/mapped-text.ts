// Text that is put together from parts of files and remembers where each character stands.
import type { Place } from "../problem.ts";

interface Piece {
  text: string;
  /** The place of a character of this piece, by its offset in it. */
  place: (offset: number) => Place;
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

  slice(start: number, end: number = this.text.length): MappedText {
    const kept: Piece[] = [];
    let at = 0;
    for (const { text, place } of this.#pieces) {
      const from = Math.max(0, start - at);
      const to = Math.min(text.length, end - at);
      if (from < to) kept.push({ text: text.slice(from, to), place: (offset) => place(offset + from) });
      at += text.length;
    }
    return new MappedText(kept.length > 0 ? kept : [{ text: "", place: () => this.place(start) }]);
  }

  /** With `text` in place of what stands from `start` to `end`; it gets the place of what it stands for. */
  replace(start: number, end: number, text: string, standsFor: number): MappedText {
    const place = this.place(standsFor);
    const middle = MappedText.of(text, () => place);
    return new MappedText([...this.slice(0, start).#pieces, ...middle.#pieces, ...this.slice(end).#pieces]);
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
