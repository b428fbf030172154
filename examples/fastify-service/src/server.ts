import { loadModel } from 'bitpath';
import { decodeImage, preprocess, topK } from 'bitpath/images';
import Fastify, { type FastifyError } from 'fastify';

/** How JPEG, PNG and WebP begin. SVG is left out: a drawing is a program, which no stranger should get to run here. */
const PHOTO = /^(\xff\xd8\xff|\x89PNG|RIFF.{4}WEBP)/s;

const model = await loadModel();
const executor = await model.compile();

const app = Fastify({ logger: true, bodyLimit: 8 * 2 ** 20, requestTimeout: 30_000, keepAliveTimeout: 5_000 });
app.server.maxConnections = 32; // and so at most 32 pictures in memory
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body);

app.post<{ Body?: Buffer }>('/classify', async ({ body }, reply) => {
  if (!body || !PHOTO.test(body.toString('latin1', 0, 12))) {
    reply.code(415);
    throw new Error('The body must be a JPEG, PNG or WebP picture');
  }
  const picture = await decodeImage(body, { name: 'The picture', maxPixels: 2 ** 24, maxSeconds: 10 });
  const { logits } = await executor.run(await preprocess(picture, model.preprocessing!));
  return { predictions: topK(logits!.data, model.labels, 3) };
});

app.setErrorHandler<FastifyError>((error, _request, reply) => {
  // It cannot be decoded, or is too drawn out to be resized.
  if (['ERR_BITPATH_IMAGE', 'ERR_BITPATH_ARGUMENT'].includes(error.code)) reply.code(400);
  reply.send(error);
});

app.addHook('onClose', async () => executor.dispose());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());
await app.listen({ port: Number(process.env.PORT ?? 3000) });
