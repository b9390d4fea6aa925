from trivium.cli.start import main

main()
