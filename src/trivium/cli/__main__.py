from trivium.cli.main import main

main()
