// Hands the sound of the microphone to the page in blocks of about ten milliseconds, with the frame of the
// audio clock at which each begins. Blocks follow each other without a gap: what is missing is silence.

const BLOCK = 512;

class Capture extends AudioWorkletProcessor {
  block = new Float32Array(BLOCK);
  filled = 0;

  process([[channel]]) {
    if (channel) this.block.set(channel, this.filled);
    this.filled += channel ? channel.length : 128;
    if (this.filled < BLOCK) return true;
    const block = this.block;
    this.port.postMessage({ frame: currentFrame + 128 - BLOCK, block }, [block.buffer]);
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
    return true;
  }
}

registerProcessor("capture", Capture);
