// Has the page ask for pictures, a few at a time; how each ended.
async (urls, patience) => {
  const left = [...urls];
  const ends = {};
  const until = Date.now() + patience;
  const one = async () => {
    while (left.length && Date.now() < until) {
      const url = left.shift();
      const image = new Image();
      ends[url] = await new Promise((done) => {
        setTimeout(() => done("late"), Math.max(1, until - Date.now()));
        image.onload = () => done(`${image.naturalWidth}x${image.naturalHeight}`);
        image.onerror = () => done("failed");
        image.src = url;
      });
    }
  };
  await Promise.all(Array.from({length: 6}, one));
  for (const url of left) ends[url] = "late";
  return ends;
}
