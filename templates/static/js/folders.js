// A dropped folder, read through and through.

export async function filesIn(entry) {
  if (entry.isFile) return [await new Promise((found, failed) => entry.file(found, failed))];
  const reader = entry.createReader();
  const inside = [];
  // readEntries answers in batches; an empty one is the end.
  for (let batch; (batch = await new Promise((found, failed) => reader.readEntries(found, failed))).length; ) inside.push(...batch);
  return (await Promise.all(inside.map(filesIn))).flat();
}
