// What is done with each picture, on whichever thread.
import { decodeImage, preprocess, topK } from 'bitpath/images';

const COLOURS = {
  black: [0, 0, 0],
  white: [255, 255, 255],
  grey: [128, 128, 128],
  red: [220, 20, 30],
  orange: [255, 140, 0],
  yellow: [250, 220, 40],
  green: [30, 140, 50],
  blue: [30, 80, 200],
  purple: [130, 40, 160],
  brown: [120, 70, 30],
};

/** { label, colour }; colour only where `withColour`: it stands for work of your own in JavaScript. */
export async function classify({ file, withColour }, model, executor) {
  const picture = await decodeImage(file);
  const { logits } = await executor.run(await preprocess(picture, model.preprocessing));
  const [best] = topK(logits.data, model.labels, 1);
  return { label: best.name, colour: withColour ? colourOf(picture) : undefined };
}

/** The colour to which most pixels are nearest, of every fourth pixel. */
function colourOf({ pixels }) {
  const palette = Object.values(COLOURS);
  const votes = new Uint32Array(palette.length);
  for (let at = 0; at < pixels.length; at += 12) {
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < palette.length; i++) {
      const [red, green, blue] = palette[i];
      const distance = (pixels[at] - red) ** 2 + (pixels[at + 1] - green) ** 2 + (pixels[at + 2] - blue) ** 2;
      if (distance < least) [nearest, least] = [i, distance];
    }
    votes[nearest]++;
  }
  return Object.keys(COLOURS)[votes.indexOf(Math.max(...votes))];
}
