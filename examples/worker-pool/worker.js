// A Worker with an executor of its own. Piscina loads this once in each Worker, and calls what it exports for each task.
import { loadModel } from 'bitpath';
import { classify } from './classify.js';

const model = await loadModel();
const executor = await model.compile({ threads: 1 });

export default (task) => classify(task, model, executor);
