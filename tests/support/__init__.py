"""What tests of several folders share: a project folder with the real command and an emulator."""
